/** One thing that is not as it must be. */
export interface Wrong {
  /** Names it: the path of a served part, or the table and row, or the file. */
  readonly place: string;
  /** Says how it is wrong, for people. */
  readonly problem: string;
}

/** Ends a check at the first wrong thing. */
export class FoundWrong extends Error implements Wrong {
  override readonly name = 'FoundWrong';
  readonly place: string;
  readonly problem: string;
  constructor(place: string, problem: string) {
    super(`${place}: ${problem}`);
    this.place = place;
    this.problem = problem;
  }
}
