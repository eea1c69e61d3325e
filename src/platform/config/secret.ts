import { inspect } from 'node:util';

const PRINTED = '[secret]';

/** Wraps a value that must not be printed: text, JSON, `inspect` and templates show `[secret]`. Only `reveal()` returns the value. */
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
