import { type Faults, happens } from "./faults.ts";
import type { ServerLog, ServerRecord } from "./log.ts";
import { grpc, type ReadCall, shared, streams } from "./stubs.ts";

export interface ReadState {
  readonly log: ServerLog;
  readonly faults: Faults;
  readonly open: Set<(error: Error | null) => void>;
  reads: number;
  subscriptions: number;
  sent: number;
}

type Options = InstanceType<typeof streams.ReadReq.Options>;

export function rpcError(code: number, details: string, fields: Record<string, string> = {}): Error {
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(fields)) metadata.set(key, value);
  return Object.assign(new Error(details), { code, details, metadata });
}

const unavailable = () => rpcError(grpc.status.UNAVAILABLE, "Server Is Not Ready");

export async function read(state: ReadState, call: ReadCall): Promise<void> {
  const options = call.request.getOptions();
  call.on("error", () => {});
  if (options === undefined) return void call.emit("error", rpcError(grpc.status.UNKNOWN, "no options"));
  if (options.hasSubscription()) return subscribe(state, call, options);
  state.reads += 1;
  if (happens(state.faults, "unavailableReads")) return void call.emit("error", unavailable());
  const records = options.hasAll() ? ofAll(state.log, options) : ofStream(state.log, options);
  if (typeof records === "string") {
    const notFound = new streams.ReadResp.StreamNotFound();
    const identifier = new shared.StreamIdentifier();
    identifier.setStreamName(Buffer.from(records, "utf8"));
    notFound.setStreamIdentifier(identifier);
    const response = new streams.ReadResp();
    response.setStreamNotFound(notFound);
    call.write(response);
    return void call.end();
  }
  if (records === null)
    return void call.emit("error", rpcError(grpc.status.UNKNOWN, "Unexpected ReadAllResult: InvalidPosition"));
  for (const record of records) {
    if (call.cancelled) return;
    await send(call, eventOf(record));
  }
  call.end();
}

/** null where the position is inside of a record. */
function ofAll(log: ServerLog, options: Options): readonly ServerRecord[] | null {
  const all = options.getAll();
  const count = Number(options.getCount());
  const end = log.records.length;
  const position = all?.getPosition();
  const index = all?.hasStart() ? 0 : position === undefined ? end : log.indexOf(Number(position.getCommitPosition()));
  if (position !== undefined && index < end && log.records[index]?.position !== Number(position.getCommitPosition())) {
    return null;
  }
  if (options.getReadDirection() === 0) return log.records.slice(index, index + count);
  return log.records.slice(Math.max(0, index - count), index).reverse();
}

/** The name of the stream where there is none. */
function ofStream(log: ServerLog, options: Options): readonly ServerRecord[] | string {
  const wanted = options.getStream();
  const name = Buffer.from(wanted?.getStreamIdentifier()?.getStreamName_asU8() ?? "").toString("utf8");
  const records = log.stream(name);
  if (records.length === 0) return name;
  const count = Number(options.getCount());
  const from = wanted?.hasStart() ? 0 : wanted?.hasEnd() ? records.length - 1 : Number(wanted?.getRevision());
  if (options.getReadDirection() === 0) return records.slice(from, from + count);
  const last = Math.min(from, records.length - 1);
  return records.slice(Math.max(0, last + 1 - count), last + 1).reverse();
}

function eventOf(record: ServerRecord): InstanceType<typeof streams.ReadResp> {
  const event = new streams.ReadResp.ReadEvent.RecordedEvent();
  const id = new shared.UUID();
  id.setString(record.id);
  event.setId(id);
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(record.stream, "utf8"));
  event.setStreamIdentifier(identifier);
  event.setStreamRevision(String(record.revision));
  event.setCommitPosition(String(record.position));
  event.setPreparePosition(String(record.position));
  event.getMetadataMap().set("type", record.type);
  event.getMetadataMap().set("content-type", record.contentType);
  event.getMetadataMap().set("created", record.created);
  event.setData(record.data);
  event.setCustomMetadata(record.metadata);
  const read = new streams.ReadResp.ReadEvent();
  read.setEvent(event);
  read.setCommitPosition(String(record.position));
  const response = new streams.ReadResp();
  response.setEvent(read);
  return response;
}

function checkpointAt(position: number): InstanceType<typeof streams.ReadResp> {
  const checkpoint = new streams.ReadResp.Checkpoint();
  checkpoint.setCommitPosition(String(position));
  checkpoint.setPreparePosition(String(position));
  const response = new streams.ReadResp();
  response.setCheckpoint(checkpoint);
  return response;
}

/** Waits while the client does not take more. */
async function send(call: ReadCall, response: InstanceType<typeof streams.ReadResp>): Promise<void> {
  if (call.write(response)) return;
  await new Promise<void>((resolve) => {
    call.once("drain", resolve);
    call.once("cancelled", resolve);
    call.once("close", resolve);
  });
}

/** From the position on, exclusive, without end: pages, then live; checkpoints as the real server gives them. */
async function subscribe(state: ReadState, call: ReadCall, options: Options): Promise<void> {
  const { log, faults } = state;
  if (happens(faults, "unavailableSubscriptions")) return void call.emit("error", unavailable());
  state.subscriptions += 1;
  let ended = false;
  let wake = () => {};
  const stop = () => {
    ended = true;
    wake();
  };
  const end = (error: Error | null) => {
    stop();
    if (error === null) call.end();
    else call.emit("error", error);
  };
  state.open.add(end);
  const offCommit = log.onCommit(() => wake());
  call.once("cancelled", stop);
  call.once("close", stop);
  let muted = false;
  const tell = async (response: InstanceType<typeof streams.ReadResp>) => {
    // Once silent it stays so: a server that left events out and then went on would break its own promise.
    muted ||= faults.silent;
    if (ended || muted) return;
    state.sent += 1;
    await send(call, response);
  };
  const confirmation = new streams.ReadResp.SubscriptionConfirmation();
  confirmation.setSubscriptionId(crypto.randomUUID());
  const confirmed = new streams.ReadResp();
  confirmed.setConfirmation(confirmation);
  await tell(confirmed);

  const filter = options.getFilter();
  const onStream = filter?.hasStreamIdentifier() ?? true;
  const expression = onStream ? filter?.getStreamIdentifier() : filter?.getEventType();
  const regex = new RegExp(expression?.getRegex() ?? "", "u");
  const window = filter?.getMax() || 32;
  const interval = window * (filter?.getCheckpointintervalmultiplier() || 1);
  const position = options.getAll()?.getPosition();
  const start = position === undefined ? -1 : Number(position.getCommitPosition());
  let index = log.indexOf(start + 1);
  let sincePoint = 0;
  let caughtUp = false;
  while (!ended) {
    if (index >= log.records.length) {
      if (!caughtUp) {
        caughtUp = true;
        const response = new streams.ReadResp();
        response.setCaughtUp(new streams.ReadResp.CaughtUp());
        await tell(response);
      }
      const committed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (index >= log.records.length && !ended) await committed;
      continue;
    }
    const record = log.records[index++];
    if (record === undefined) continue;
    if (regex.test(onStream ? record.stream : record.type)) {
      await tell(eventOf(record));
      if (faults.doubleEvents) await tell(eventOf(record));
    }
    sincePoint += 1;
    if (sincePoint < interval) continue;
    sincePoint = 0;
    await tell(checkpointAt(record.position));
  }
  offCommit();
  state.open.delete(end);
}
