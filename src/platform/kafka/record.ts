type HeaderValue = Buffer | string | null;

/** A record as it was read. */
export interface KafkaRecord {
  readonly offset: bigint;
  /** Milliseconds since the epoch, decimal. */
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** A name that occurs once has its value; a name that occurs again has an array of values. */
  readonly headers: Readonly<Record<string, HeaderValue | readonly HeaderValue[] | undefined>>;
}
