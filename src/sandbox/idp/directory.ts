import { timingSafeEqual } from 'node:crypto';

export interface IdpUser {
  /** Identifies the user in every token of the IdP. */
  readonly sub: string;
  readonly login: string;
  readonly password: string;
  readonly name: string;
  /** Groups that an application may learn of. Default: none. */
  readonly groups?: readonly string[];
}

/** The users who can sign in, and those who have been disabled. */
export interface Directory {
  /** Finds the user with this login and password. Returns undefined if there is none or the user is disabled. */
  authenticate(login: string, password: string): IdpUser | undefined;
  /** Finds the user with this `sub`. Returns undefined if there is none or the user is disabled. */
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
