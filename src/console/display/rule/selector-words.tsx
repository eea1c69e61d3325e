import { Text } from '@mantine/core';
import { Fragment } from 'react';
import type { Rule, Selector } from '../../api/rules.js';
import { Name } from '../name.js';
import { selectorParts } from './words.js';

/** Names what a rule selects, in one line: `user alice of idp.example and resource https://api.example`. */
export function SelectorWords({ selector, or }: { readonly selector: Selector; readonly or?: Rule['or'] }) {
  return selectorParts(selector, or).map(({ label, name, of }, at) => (
    <Fragment key={at}>
      {at > 0 && !label.startsWith('or ') && <Word> and</Word>} <Word>{label}</Word>
      {name !== undefined && (
        <>
          {' '}
          <Text span inherit fw={600}>
            <Name>{name}</Name>
          </Text>
        </>
      )}
      {of !== undefined && (
        <Word>
          {' '}
          of <Name>{of.replace(/^https:\/\//, '')}</Name>
        </Word>
      )}
    </Fragment>
  ));
}

const Word = ({ children }: { readonly children: React.ReactNode }) => (
  <Text span inherit c="dimmed" fw={400}>
    {children}
  </Text>
);
