import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { FindingChanges } from './finding-changes.service.js';
import { StoredChange } from './stored-change.entity.js';

@Module({
  imports: [TypeOrmModule.forFeature([StoredChange])],
  providers: [FindingChanges],
  exports: [FindingChanges],
})
export class FindingChangesModule {}
