import type { Command } from 'commander';
import { optionCandidates, valuesAfter, type Candidate } from '../candidate.js';
import type { Context } from '../context.js';
import { readDocument } from './document.js';
import { questionsOf, findQuestion, type Question } from './questions.js';
import { positionsOf, optionsOf } from './words.js';

/** Somebody waits with a finger on the tab key. */
const PATIENCE_MS = 3_000;

/** Lists the words that can end a line that begins with `rescind ask`. Without a service that answers there are none. */
export async function askCandidates(
  program: Command,
  context: Context,
  words: readonly string[],
  typed: string,
): Promise<readonly Candidate[]> {
  const ask = program.commands.find((command) => command.name() === 'ask')!;
  const shared = ask.createHelp().visibleOptions(ask);
  const ofShared = valuesAfter(shared, words);
  if (ofShared !== undefined) return ofShared;
  const questions = await questionsAt(ask, context, words);
  const positions = positionsOf(words);
  const question = findQuestion(questions, positions);
  const options = question === undefined ? [] : optionsOf(question);
  const values = valuesAfter(options, words);
  if (values !== undefined) return values;
  if (typed.startsWith('-')) return optionCandidates([...options, ...shared]);
  return nextWords(questions, positions);
}

/** Names the service as the line itself does. */
async function questionsAt(ask: Command, context: Context, words: readonly string[]): Promise<readonly Question[]> {
  const valueOf = (option: string): string | undefined => {
    const at = words.indexOf(option);
    return at < 0 ? undefined : words[at + 1];
  };
  ask.setOptionValue('url', valueOf('--url'));
  ask.setOptionValue('context', valueOf('--context'));
  try {
    return questionsOf(await readDocument(await context.url(ask), PATIENCE_MS)).questions;
  } catch {
    return [];
  }
}

function nextWords(questions: readonly Question[], positions: readonly string[]): readonly Candidate[] {
  const next = new Map<string, Candidate>();
  for (const { words, summary, parts } of questions) {
    const isOn = words.length > positions.length && positions.every((word, at) => word === words[at]);
    const word = words[positions.length];
    if (!isOn || word === undefined) continue;
    const isWhole = words.length === positions.length + 1 && parts.length === 0;
    if (isWhole || !next.has(word)) next.set(word, { word, meaning: summary });
  }
  return [...next.values()];
}
