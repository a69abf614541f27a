/** One entry of a tar archive. */
export type TarEntry =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly content: Uint8Array }
  | { readonly kind: "link"; readonly path: string; readonly to: string };

const BLOCK = 512;
const TYPE = { file: "0", link: "2", directory: "5" } as const;

/**
 * A ustar archive (POSIX.1-1988) of the entries in the order given, owned by root, dated 1970: the same entries give
 * the same bytes. Bun.Archive reads such archives, but cannot write links and modes.
 */
export function tar(entries: readonly TarEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    parts.push(header(entry));
    if (entry.kind !== "file") continue;
    parts.push(entry.content, new Uint8Array((BLOCK - (entry.content.length % BLOCK)) % BLOCK));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return Buffer.concat(parts);
}

function header(entry: TarEntry): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const { prefix, name } = split(entry.kind === "directory" ? `${entry.path}/` : entry.path);
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, "0")}\0`;
  block.write(name, 0);
  block.write(octal(entry.kind === "file" ? entry.mode : 0o755, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(entry.kind === "file" ? entry.content.length : 0, 12), 124);
  block.write(octal(0, 12), 136);
  block.write(" ".repeat(8), 148);
  block.write(TYPE[entry.kind], 156);
  if (entry.kind === "link") block.write(entry.to, 157);
  block.write("ustar\u000000", 257);
  block.write("root", 265);
  block.write("root", 297);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** ustar keeps 100 bytes of name and, before a slash, 155 bytes of prefix. */
function split(path: string): { readonly prefix: string; readonly name: string } {
  if (path.length <= 100) return { prefix: "", name: path };
  const cut = path.lastIndexOf("/", path.length - 2);
  const [prefix, name] = [path.slice(0, cut), path.slice(cut + 1)];
  if (cut < 0 || prefix.length > 155 || name.length > 100)
    throw new Error(`${path} is too long for a tar archive.`);
  return { prefix, name };
}
