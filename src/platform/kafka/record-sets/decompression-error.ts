/** Says why a record set's bytes could not be expanded. */
export class DecompressionError extends Error {
  readonly problem: 'corrupt' | 'too-large';

  constructor(problem: 'corrupt' | 'too-large', options?: { cause?: unknown }) {
    super(problem === 'corrupt' ? 'the compressed bytes are damaged' : 'the bytes expand beyond the limit', options);
    this.name = 'DecompressionError';
    this.problem = problem;
  }
}

export const corrupt = (): DecompressionError => new DecompressionError('corrupt');
export const tooLarge = (): DecompressionError => new DecompressionError('too-large');

/** LZ77: copies the bytes `distance` back. A run longer than `distance` repeats itself. */
export function repeat(out: Uint8Array, at: number, distance: number, length: number): void {
  if (distance >= length) {
    out.copyWithin(at, at - distance, at - distance + length);
    return;
  }
  for (let i = at; i < at + length; i += 1) out[i] = out[i - distance]!;
}
