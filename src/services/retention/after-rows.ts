/** A function that is told how many rows were written, and calls `then` each time that so many more were. */
export function afterRows(many: number, then: () => void): (rows: number) => void {
  let left = many;
  return (rows) => {
    left -= rows;
    if (left > 0) return;
    left = many;
    then();
  };
}
