/** The scheduler process: looks after open projects, and cleans up what nobody needs any more. */
import './preload.ts'
import { removeExpiredKeys } from './api/idempotency.ts'
import type { Config } from './config.ts'
import type { ChildOrder } from './launch/order.ts'
import { messageOf } from './lib/errors.ts'
import { createLog, type Log } from './lib/log.ts'
import type { ProcessIdentity } from './lib/process-tree.ts'
import { within } from './lib/until.ts'
import { dataLayout } from './project/layout.ts'
import { isLeaseHeld, leaseAgeMs } from './project/lease.ts'
import { createRoomCheck } from './project/room.ts'
import { SETTLE_MS } from './project/state-file.ts'
import { createProjectStore, type ProjectStore } from './project/store.ts'
import { createDispatcher, type Dispatcher } from './queue/dispatcher.ts'
import { type ReconcileDeps, reconcile, type Troubles } from './queue/reconcile.ts'
import { openRedis } from './redis/client.ts'
import { createKeys } from './redis/keys.ts'
import { createChildLink } from './supervisor/child-link.ts'

const RECONCILE_EVERY_MS = 3_000
const SWEEP_EVERY_MS = 3_600_000
/** Also after a start, for an instance that never runs for an hour; by then the boot is over. */
const FIRST_SWEEP_MS = 5_000
/** A worker that renewed its lease so short ago may have died just now: see reconcile.ts. */
const SUPERVISOR_ACTS_MS = 5_000

const link = createChildLink()
// What it throws ends the process, with the reason on standard error: see preload.ts.
link.onGo<ChildOrder>((order) => void run(order))

async function run(order: ChildOrder): Promise<void> {
  const { config } = order
  const log = createLog(order.name, config.log.level)
  const layout = dataLayout(config.dataDir)
  const connection = openRedis(order.redis, 'fast')
  const dispatcher = createDispatcher({ connection, prefix: createKeys(order.dataId).bull, log })
  const store = createProjectStore(layout)
  const facts = {
    isHeld: (owner: ProcessIdentity) => isLeaseHeld(layout.leases, owner),
    resume: config.resume,
    nowMs: Date.now,
    hasRoom: createRoomCheck(),
  }
  const isLeftToSupervisor = (owner: ProcessIdentity) => leaseAgeMs(layout.leases, owner) < SUPERVISOR_ACTS_MS
  const { look, ended } = createLook({ store, dispatcher, facts, log, isLeftToSupervisor }, config.concurrency)
  // A Redis that comes late or comes back may be empty: its limits are set, and the look is at once.
  connection.on('ready', () => void dispatcher.limit(config.concurrency).then(look, look))
  const sweep = () => removeExpiredKeys(layout.idempotency, Date.now()).catch((error) => logFailure(log, error))
  const timers = [
    setInterval(() => void look(), RECONCILE_EVERY_MS),
    setInterval(() => void sweep(), SWEEP_EVERY_MS),
    setTimeout(() => void sweep(), FIRST_SWEEP_MS),
  ]
  stopOnDrain({ dispatcher, store, timers, ended })
  link.beat(() => ({}))
  link.ready()
}

/** One look at a time; a failed one (Redis is away) is followed by the next. `ended`: the one under way, if any. */
function createLook(deps: ReconcileDeps, concurrency: Config['concurrency']) {
  const troubles: Troubles = new Map()
  let current: Promise<void> | undefined
  const run = async () => {
    try {
      // Somebody may have emptied it while we were connected. Stages that run go on uncounted until they end: BullMQ
      // has no way to make a job active in the name of the process that runs it, and one that waits would be
      // taken by another, which could only give it back.
      await deps.dispatcher.keepLimit(concurrency)
      const { added, takenBack } = await reconcile(deps, troubles)
      if (added > 0 || takenBack > 0) deps.log.info({ added, taken_back: takenBack }, 'put lost jobs back')
    } catch (error) {
      logFailure(deps.log, error)
    } finally {
      current = undefined
    }
  }
  const look = (): Promise<void> => {
    current ??= run()
    return current
  }
  return { look, ended: async () => current }
}

function logFailure(log: Log, error: unknown): void {
  log.debug({ error: messageOf(error) }, 'a look failed; the next one follows')
}

type Parts = { dispatcher: Dispatcher; store: ProjectStore; timers: NodeJS.Timeout[]; ended: () => Promise<void> }

function stopOnDrain({ dispatcher, store, timers, ended }: Parts): void {
  const stop = async () => {
    for (const timer of timers) clearInterval(timer) // which ends a time-out as well
    await dispatcher.close().catch(() => {}) // Redis may be away; we are leaving anyway
    await within(ended(), SETTLE_MS, undefined) // it may write state files
    await within(store.settle(), SETTLE_MS, undefined)
    await link.goodbye(0)
    process.exit(0)
  }
  link.onDrain(() => void stop())
  link.onHurry(() => void stop())
}
