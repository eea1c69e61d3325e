import { KAFKA, type Check, type Readiness } from '../../api/readiness.js';

/** Something that is wrong with the service, and its consequence for whoever looks at a page. */
export interface Trouble {
  readonly what: string;
  readonly consequence: string;
  /** Whether questions may stay without an answer, so that what is shown grows old. */
  readonly makesOld: boolean;
}

const NO_ANSWER: Trouble = {
  what: 'The service does not answer.',
  consequence: 'Nothing can be read or ordered from this page until it does.',
  makesOld: true,
};

const BY_CHECK: Readonly<Record<string, Trouble>> = {
  database: {
    what: 'The database cannot be reached.',
    consequence:
      'Questions are not answered, and no order can be stored. Without it, nodes and guards say active to nobody after a few seconds.',
    makesOld: true,
  },
  serving: {
    what: 'This process holds no lease.',
    consequence: 'It says active to nobody. An order is stored, and may take longer until it is in force everywhere.',
    makesOld: false,
  },
  'control-fence': {
    what: 'This process is fenced: its database may be an old backup.',
    consequence: 'It answers nothing and takes no order until an operator has decided.',
    makesOld: true,
  },
  'topic-feeds': {
    what: 'The topics for resource apps are behind.',
    consequence: 'Apps that follow them hear of rules late. Nodes and guards do not wait for them.',
    makesOld: false,
  },
  [KAFKA]: {
    what: 'Kafka cannot be reached.',
    consequence: 'Events that come over Kafka wait there and are not shown yet. Orders work all the same.',
    makesOld: false,
  },
  process: {
    what: 'This process is stopping.',
    consequence: 'Another one takes over, or it starts again.',
    makesOld: false,
  },
};

/** Lists what is wrong. `refusal`: that of a question that is shown, which tells of troubles that no check knows. */
export function troublesOf(
  readiness: Readiness | null | undefined,
  isUnanswered: boolean,
  refusal: string | undefined,
): readonly Trouble[] {
  if (isUnanswered) return [NO_ANSWER];
  const checks = readiness?.checks.filter(({ ok }) => !ok) ?? [];
  // Without the database there is no lease either; one sentence says both.
  const isWithoutDatabase = checks.some(({ name }) => name === 'database');
  const known = checks.filter(({ name }) => !(isWithoutDatabase && name === 'serving')).map(troubleOf);
  if (refusal === undefined || known.some(({ makesOld }) => makesOld)) return known;
  return [...known, { what: refusal, consequence: 'The console asks again by itself.', makesOld: true }];
}

const troubleOf = ({ name, code }: Check): Trouble =>
  BY_CHECK[name] ?? {
    what: `The check ${name} fails${code === undefined ? '' : ` (${code})`}.`,
    consequence: 'Answers may be missing.',
    makesOld: true,
  };
