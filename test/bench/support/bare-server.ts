/** The baseline of the HTTP benchmark: a bare Elysia handler that answers what the script answers. Prints its port. */
import { Elysia } from "elysia";

const app = new Elysia()
  .get("/hello/:name", ({ params }) => ({ hello: params.name }))
  .listen({ hostname: "127.0.0.1", port: 0, reusePort: false });
console.log(app.server?.port);
