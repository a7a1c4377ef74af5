// Where things stand at a moment of the recording. Pure: lists sorted by `at` (milliseconds) go in.

/** How many of `list` are at or before `ms`. */
function countUntil(list, ms) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].at <= ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last `most` lines said until `ms`. */
export function linesUntil(lines, ms, most) {
  const end = countUntil(lines, ms);
  return lines.slice(Math.max(0, end - most), end);
}

/** Whether `ms` lies in one of the stretches, each {at, until}. */
export function isWithin(stretches, ms) {
  const last = stretches[countUntil(stretches, ms) - 1];
  return last !== undefined && ms <= last.until;
}

/** The chapter that runs at `ms`, -1 where no product was pinned. */
export function chapterAt(chapters, ms) {
  const index = countUntil(chapters, ms) - 1;
  return index >= 0 && ms < chapters[index].until ? index : -1;
}
