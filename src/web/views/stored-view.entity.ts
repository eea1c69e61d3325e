import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

const SECONDS = { to: (seconds: number) => seconds, from: Number };

/** A row of the table `saved_view`, as `migrations/schema.sql` has it. */
@Entity('saved_view')
@Index('saved_view_name', ['tenant', 'owner', 'name'], { unique: true })
@Index('saved_view_shared', { synchronize: false })
export class StoredView {
  @PrimaryColumn('uuid') tenant!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('text') owner!: string;
  @Column('text') name!: string;
  @Column('text') page!: string;
  @Column('text') search!: string;
  @Column('boolean') shared!: boolean;
  @Column('bigint', { transformer: SECONDS }) updated_at!: number;
  @Column('text') updated_by!: string;
}
