/** The part of the URL that says why somebody is here, and to which page they go afterwards. */
export interface WelcomeSearch {
  /** Code of what went wrong at the sign-in. */
  readonly problem?: string;
  /** Path of the console, with its search. */
  readonly return_to?: string;
}

export function readWelcomeSearch({ problem, return_to }: Record<string, unknown>): WelcomeSearch {
  return {
    problem: typeof problem === 'string' ? problem : undefined,
    return_to: typeof return_to === 'string' ? return_to : undefined,
  };
}
