import { Code, Text, Tooltip } from '@mantine/core';
import { cutName, namePartsOf } from './names.js';

/** A name from outside, shown so that it cannot look like anything but itself. A long one is cut; the pointer or the keyboard shows it whole. */
export function Name({ children: name }: { readonly children: string }) {
  const cut = cutName(name);
  if (cut === name) return <Parts of={name} />;
  return (
    <Tooltip label={<Parts of={name} />}>
      <Text span inherit tabIndex={0}>
        <Parts of={cut} />
      </Text>
    </Tooltip>
  );
}

/** A sentence that may hold names from outside, whole, and kept apart from the direction of its neighbours. */
export const Sentence = ({ children }: { readonly children: string }) => <Parts of={children} />;

function Parts({ of }: { readonly of: string }) {
  return (
    <bdi>
      {namePartsOf(of).map(({ text, isEscaped }, at) =>
        isEscaped ? (
          <Code key={at} c="red">
            {text}
          </Code>
        ) : (
          text
        ),
      )}
    </bdi>
  );
}
