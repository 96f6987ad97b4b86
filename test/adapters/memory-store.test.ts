import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import { describeObjectStore } from '../contract/object-store.ts';

describeObjectStore('MemoryStore', {
  open: () => new MemoryStore(),
  hasDownloadLinks: false,
  listsByBytes: true,
  largeBytes: 1_000_000,
});
