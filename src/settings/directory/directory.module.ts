import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DirectoryController } from './directory.controller.js';
import { DirectoryService } from './directory.service.js';
import { StoredEntry } from './stored-entry.entity.js';

@Module({
  imports: [TypeOrmModule.forFeature([StoredEntry])],
  controllers: [DirectoryController],
  providers: [DirectoryService],
})
export class DirectoryModule {}
