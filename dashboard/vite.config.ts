import adapter from "@sveltejs/adapter-static";
import { sveltekit } from "@sveltejs/kit/vite";
import { defineConfig } from "vite";
import manifest from "../package.json" with { type: "json" };

// In development (`bun --bun vite dev`) the API is that of a PiCloud on this machine.
const api = process.env["PICLOUD_API"] ?? "http://127.0.0.1:18080";

export default defineConfig({
  plugins: [
    sveltekit({
      // One shell for every page: PiCloud serves it for whatever is under /admin and no file.
      adapter: adapter({ fallback: "200.html" }),
      paths: { base: "/admin", relative: false },
      // Not the time of the build, so that the same sources give the same files.
      version: { name: manifest.version },
    }),
  ],
  server: { proxy: { "/api": api, "/healthz": api, "/readyz": api, "/version": api } },
});
