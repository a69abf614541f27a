/** The reference for authors of scripts, and the data for their editors. */
export { referenceMarkdown } from "./markdown.ts";
export { sdkReference } from "./reference.ts";
