import { inspect } from 'node:util';

const PRINTED = '[secret]';

/** A value that no printing reaches: text, JSON, `inspect` and templates show `[secret]`. Only `reveal()` gives it. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return PRINTED;
  }

  toJSON(): string {
    return PRINTED;
  }

  [inspect.custom](): string {
    return PRINTED;
  }
}
