const SHAPE = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)$/;

/** A time as RFC 3339; null for what is none, or only looks like one, such as a 31st of April. */
export function parseInstant(text: string): Date | null {
  if (!SHAPE.test(text)) return null;
  const time = new Date(text);
  // JavaScript takes the 31st of April for the 1st of May.
  const date = text.slice(0, 10);
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(time.getTime()) || Number.isNaN(day.getTime())) return null;
  return day.toISOString().startsWith(date) ? time : null;
}
