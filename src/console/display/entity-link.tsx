import { Link } from '@tanstack/react-router';
import { nameOf, type Entity } from './entity.js';
import { Name } from './name.js';
import classes from './cells.module.css';

/** Names an entity and leads to its page. */
export function EntityLink({ entity, withKind = false }: { readonly entity: Entity; readonly withKind?: boolean }) {
  return (
    <>
      {withKind && <span className={`${classes.small} ${classes.faint}`}>{entity.kind} </span>}
      <Link className={classes.link} to={`/${entity.kind}s/$entity`} params={{ entity: String(entity.is.entity) }}>
        <Name>{nameOf(entity)}</Name>
      </Link>
    </>
  );
}
