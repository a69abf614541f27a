/** What a test process does when all its test files are through, the latest registered first. */
const works: (() => Promise<void>)[] = [];

export const atEnd = (work: () => Promise<void>): void => void works.push(work);

/** Called by preload.ts. */
export async function runAtEnd(): Promise<void> {
  for (let work = works.pop(); work !== undefined; work = works.pop()) await work();
}
