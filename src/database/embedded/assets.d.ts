/** Files that the set-up makes in `.cache`, embedded in the binary (see src/build/postgres-archive.ts). */
declare module "*.tar.zst" {
  /** Where the file can be read: on disk, or inside the binary. */
  const path: string;
  export default path;
}

declare module "*.stamp" {
  const text: string;
  export default text;
}
