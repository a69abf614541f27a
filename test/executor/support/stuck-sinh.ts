const { sinh } = Math;

Math.sinh = (x) => {
  if (Math.floor(x) !== 12345) return sinh(x);
  for (;;);
};
