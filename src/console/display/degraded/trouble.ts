import { BEHIND, isReplaced, KAFKA, type Check, type Readiness } from '../../api/readiness.js';

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
  // The database could not be compared with what was published; `FENCED` says that it could.
  'control-fence': {
    what: 'This process is not sure of its database.',
    consequence:
      'It cannot read in Kafka which rules were published last. Until it can, it says active to nobody, answers nothing and takes no order. It tries again by itself.',
    makesOld: true,
  },
  'topic-feeds': {
    what: 'Rules are not published to the topics for resource apps.',
    consequence:
      'The topics hold another history than this database. Apps that follow them hear of no new rule until an operator has decided. Nodes and guards do not wait for them.',
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

const FENCED: Trouble = {
  what: 'This process is fenced: its database lacks rules that were in force, as an old backup does.',
  consequence:
    'It says active to nobody, answers nothing and takes no order. An operator must bring the rules back: rescind control restore --from-topic. Then it starts by itself.',
  makesOld: true,
};

const LEDGER_FENCED: Trouble = {
  what: 'This process is fenced: its ledger does not continue the checkpoints that were signed, as that of an old backup.',
  consequence:
    'It says active to nobody, answers nothing and takes no order. An operator must restore a newer backup or, if there is none, run: rescind ledger continue. Then it starts by itself.',
  makesOld: true,
};

const REPLACED: Trouble = {
  what: 'This process is fenced: an older or another database took the place of its own.',
  consequence:
    'It says active to nobody and takes no order. What it shows may lack the newest rules and events. An operator must restore the right database and restart this process.',
  makesOld: true,
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
  // With another database the topics do not match either.
  const isSaid = ({ name }: Check): boolean =>
    (isWithoutDatabase && name === 'serving') || (isReplaced(readiness) && name === 'topic-feeds');
  const known = checks.filter((check) => !isSaid(check)).map(troubleOf);
  if (refusal === undefined || known.some(({ makesOld }) => makesOld)) return known;
  return [...known, { what: refusal, consequence: 'The console asks again by itself.', makesOld: true }];
}

function troubleOf({ name, code }: Check): Trouble {
  if (code === BEHIND && name === 'control-fence') return FENCED;
  if (name === 'control-fence' && code?.startsWith('ledger-')) return LEDGER_FENCED;
  if (code === BEHIND && name === 'serving') return REPLACED;
  return (
    BY_CHECK[name] ?? {
      what: `The check ${name} fails${code === undefined ? '' : ` (${code})`}.`,
      consequence: 'Answers may be missing.',
      makesOld: true,
    }
  );
}
