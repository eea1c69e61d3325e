/** `refused`: the address may not be reached. `unreachable`: no connection, or it broke. `slow`: a time limit passed. `too-large`: the answer was over its bound. */
export type EgressProblem = 'refused' | 'unreachable' | 'slow' | 'too-large';

/** Says why no answer came. The message holds neither path nor header of the request. */
export class EgressError extends Error {
  override readonly name = 'EgressError';
  readonly problem: EgressProblem;

  constructor(problem: EgressProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}
