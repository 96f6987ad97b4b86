import { testBatchRegistry } from '../../contract/batch-registry.ts';
import { testAdmission } from '../../contract/ledger-admission.ts';
import { testSettlement } from '../../contract/ledger-settlement.ts';
import { MemoryCluster } from './memory-cluster.ts';

testAdmission(async () => new MemoryCluster());
testSettlement(async () => new MemoryCluster());
testBatchRegistry(async () => new MemoryCluster());
