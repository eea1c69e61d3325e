/** The part of the URL that says which channel is open. */
export interface ChannelsSearch {
  /** Name of the channel that is open. */
  readonly channel?: string;
  /** Whether a new channel is being written. */
  readonly add?: true;
}

/** Reads the search of a URL that anybody may have written: what is not known is left out. */
export function readChannelsSearch({ channel, add }: Record<string, unknown>): ChannelsSearch {
  return {
    channel: typeof channel === 'string' ? channel : undefined,
    add: add === true ? true : undefined,
  };
}
