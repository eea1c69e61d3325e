import { useNavigate } from '@tanstack/react-router';
import type { MomentSearch } from '../../api/moment.js';

export const NOW: MomentSearch = { at: undefined, against: undefined };

/** Shows other moments on the page that is open. */
export function useGo(): (moments: MomentSearch, options?: { readonly replace?: boolean }) => void {
  const navigate = useNavigate();
  return (moments, { replace = false } = {}) =>
    void navigate({
      to: '.',
      search: (before: object) => ({ ...before, ...moments }),
      replace,
      resetScroll: false,
    });
}
