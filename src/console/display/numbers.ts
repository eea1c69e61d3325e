const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A count with its thousands apart: people act on it, so it is never rounded. */
export const countText = (count: number | bigint): string => WHOLE.format(count);

/** A count with its noun, whose plural ends in s. */
export const countOf = (count: number, noun: string): string => `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
