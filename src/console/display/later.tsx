import { useDeferredValue, type ReactNode } from 'react';

/**
 * Draws its children right after the first frame of a page, in steps between which an input is heard. For parts that are dear to draw and that nobody
 * looks at first. The page keeps their room.
 */
export const Later = ({ children }: { readonly children: ReactNode }) => useDeferredValue(true, false) && children;
