/**
 * Waits until a condition holds.
 * @throws Error naming `what` when it does not within `milliseconds`
 */
export async function waitFor(
  what: string,
  condition: () => boolean | Promise<boolean>,
  milliseconds = 20_000,
): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Waited ${milliseconds} ms in vain: ${what}`);
    await Bun.sleep(20);
  }
}

/** Whether a process is there (a zombie is not). */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    const stat = await Bun.file(`/proc/${pid}/stat`).text();
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}
