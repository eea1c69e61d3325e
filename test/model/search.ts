import { broken, moves, type Protocol } from './lease-moves.js';
import { createNaming, firstWorld, type World } from './lease-world.js';

export interface Found {
  readonly worlds: number;
  /** All that can be reached were looked at. */
  readonly isComplete: boolean;
  readonly isAnswered: boolean;
  readonly violation: { readonly what: string; readonly trace: readonly string[] } | undefined;
}

/** Looks at every world that can be reached, nearest first, until one breaks the promise or `limit` were seen. */
export function search(protocol: Protocol, limit: number): Found {
  const naming = createNaming();
  const first = firstWorld(protocol.size);
  const seen = new Set<string>([naming.name(first)]);
  let layer: { world: World; path: Path | undefined }[] = [{ world: first, path: undefined }];
  let isAnswered = false;
  while (layer.length > 0) {
    const next: typeof layer = [];
    for (const { world, path } of layer) {
      let violation: Found['violation'];
      moves(protocol, world, (label, reached) => {
        const key = naming.name(reached);
        if (violation || seen.has(key)) return;
        seen.add(key);
        const step = { label, before: path };
        const what = broken(protocol, reached);
        if (what) violation = { what, trace: traceOf(step) };
        isAnswered ||= reached.waiters.every(({ stage }) => stage === 'answered');
        next.push({ world: naming.shared(reached), path: step });
      });
      if (violation) return { worlds: seen.size, isComplete: false, isAnswered, violation };
      if (seen.size > limit) return { worlds: seen.size, isComplete: false, isAnswered, violation: undefined };
    }
    layer = next;
  }
  return { worlds: seen.size, isComplete: true, isAnswered, violation: undefined };
}

interface Path {
  readonly label: string;
  readonly before: Path | undefined;
}

function traceOf(last: Path): string[] {
  const trace: string[] = [];
  for (let step: Path | undefined = last; step; step = step.before) trace.unshift(step.label);
  return trace;
}
