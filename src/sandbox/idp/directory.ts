import { timingSafeEqual } from 'node:crypto';

export interface IdpUser {
  /** What the IdP calls the user in every token. */
  readonly sub: string;
  readonly login: string;
  readonly password: string;
  readonly name: string;
}

/** Who can sign in, and who has been dismissed. */
export interface Directory {
  /** The user whose login and password these are, unless disabled. */
  authenticate(login: string, password: string): IdpUser | undefined;
  /** The user of this `sub`, unless disabled. */
  findEnabled(sub: string): IdpUser | undefined;
  disable(sub: string): void;
  enable(sub: string): void;
}

export function createDirectory(users: readonly IdpUser[]): Directory {
  const bySub = new Map(users.map((user) => [user.sub, user]));
  const disabled = new Set<string>();
  const mustExist = (sub: string): void => {
    if (!bySub.has(sub)) throw new TypeError(`no user ${sub}`);
  };
  return {
    authenticate(login, password) {
      const user = users.find((candidate) => candidate.login === login);
      if (user === undefined || disabled.has(user.sub) || !isEqual(user.password, password)) return undefined;
      return user;
    },
    findEnabled: (sub) => (disabled.has(sub) ? undefined : bySub.get(sub)),
    disable(sub) {
      mustExist(sub);
      disabled.add(sub);
    },
    enable(sub) {
      mustExist(sub);
      disabled.delete(sub);
    },
  };
}

function isEqual(expected: string, actual: string): boolean {
  const left = Buffer.from(expected);
  const right = Buffer.from(actual);
  return left.length === right.length && timingSafeEqual(left, right);
}
