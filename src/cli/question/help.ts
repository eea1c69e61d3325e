import { quoted } from './quoted.js';
import { nameOf, type Catalogue, type Question } from './questions.js';

const CLOSING = `
Options of every question:
  -o, --output <format>   table (default), json, jsonl or csv; jsonl and csv write the items of a list, a line each
  --all                   with -o jsonl or csv: every page, to the end of the list
  --url, --context        which service to ask

\`rescind ask <question> --help\` lists the options of one question. Tables show times in local time (TZ); json, jsonl and csv are as the API answers.

Examples:
  rescind ask graph
  rescind ask access --user-iss https://idp.acme.example --user-sub alice --outcome denied
  rescind ask access counts --client-iss https://idp.acme.example --client-id wiki --by hour
  rescind ask changes --since 7d
  rescind ask access --user-iss https://idp.acme.example --user-sub alice --all -o csv > alice.csv
`;

/** Lists all questions of a service, by group. */
export function catalogueText({ questions }: Catalogue, url: string): string {
  const groups = new Map<string, Question[]>();
  for (const question of questions) groups.set(question.group, [...(groups.get(question.group) ?? []), question]);
  const width = Math.max(0, ...questions.map((question) => nameOf(question).length));
  // The questions of the security team come first; what only operators ask follows.
  const order = [...groups].sort(([one], [other]) => Number(other === 'questions') - Number(one === 'questions'));
  const lists = order.map(([group, members]) => {
    const lines = members.map((question) => `  ${nameOf(question).padEnd(width)}  ${question.summary}\n`);
    return `\n${group.charAt(0).toUpperCase()}${group.slice(1)}:\n${lines.join('')}`;
  });
  return `Usage: rescind ask <question> [options]\n\nWhat ${url} can be asked:\n${lists.join('')}${CLOSING}`;
}

/** Writes the documented example of a question as a command. */
export function exampleOf(question: Question): string {
  const { example, parts, words } = question;
  if (example === undefined || !URL.canParse(example, 'http://localhost')) return '';
  const { pathname, searchParams } = new URL(example, 'http://localhost');
  const segments = pathname.split('/');
  const values = question.path
    .split('/')
    .flatMap((segment, at) => (segment.startsWith('{') ? [quoted(decodeURIComponent(segments[at] ?? ''))] : []));
  const options = [...searchParams].map(([name, value]) => `--${name.replaceAll('_', '-')} ${quoted(value)}`);
  return parts.length === values.length
    ? `\nExample:\n  ${['rescind ask', ...words, ...values, ...options].join(' ')}\n`
    : '';
}
