import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DetectionChanges } from './detection-changes.service.js';
import { StoredDetectionChange } from './stored-detection-change.entity.js';

@Module({
  imports: [TypeOrmModule.forFeature([StoredDetectionChange])],
  providers: [DetectionChanges],
  exports: [DetectionChanges],
})
export class DetectionChangesModule {}
