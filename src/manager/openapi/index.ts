/** The API's description of itself. */
export { NEEDS, type Need } from "./capabilities.ts";
export { openApiDocument, type OpenApiDocument } from "./document.ts";
export type { Operation, Parameter } from "./operations.ts";
export { createPublicPages } from "./serve.ts";
