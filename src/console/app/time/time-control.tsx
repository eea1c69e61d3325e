import { Button, Popover } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMoments } from '../../api/moment.js';
import { timeText } from '../../display/times.js';
import { TimeForm } from './time-form.js';

/** The control in the header that says which moment the pages show, and chooses another. */
export function TimeControl() {
  const { at, against } = useMoments();
  const [isOpen, { close, toggle }] = useDisclosure(false);
  const isNow = at === undefined && against === undefined;
  const shown = at === undefined ? 'now' : timeText(at);
  return (
    <Popover
      id="time"
      opened={isOpen}
      onChange={(opened) => !opened && close()}
      position="bottom-end"
      width={320}
      trapFocus
      returnFocus
    >
      <Popover.Target>
        <Button
          size="compact-sm"
          variant={isNow ? 'default' : 'filled'}
          {...(isNow ? {} : { color: 'orange.4' })}
          onClick={toggle}
          aria-label={`Time: ${shown}${against === undefined ? '' : `, compared with ${timeText(against)}`}`}
        >
          {isNow ? 'Now' : against === undefined ? 'Past' : 'Compared'}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Time">
        <TimeForm onDone={close} />
      </Popover.Dropdown>
    </Popover>
  );
}

/** Gives the keyboard a place when the control that it was on is gone. */
export const focusTimeControl = (): void => document.getElementById('time')?.focus();
