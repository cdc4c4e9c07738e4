import { setTimeout as sleep } from "node:timers/promises";
import { type Faults, happens } from "./faults.ts";
import type { Committed, Expected, Proposed, ServerLog } from "./log.ts";
import { Any, type AppendCall, type AppendDone, type BatchCall, shared, statusPb, streams } from "./stubs.ts";

/** As the server's default. */
const appendBytesMax = 1024 * 1024;

export interface AppendState {
  readonly log: ServerLog;
  readonly faults: Faults;
  /** 0..1, for the time that answers take. */
  readonly random: () => number;
  batchStreams: number;
  appends: number;
  appendsNow: number;
  appendsAtOnce: number;
  cut(): void;
}

interface Pending {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: Proposed[];
  bytes: number;
}

type Message = InstanceType<typeof streams.BatchAppendReq.ProposedMessage>;

const nameOf = (identifier: InstanceType<typeof shared.StreamIdentifier> | undefined): string =>
  Buffer.from(identifier?.getStreamName_asU8() ?? "").toString("utf8");

function proposed(message: Message): Proposed {
  const metadata = message.getMetadataMap();
  return {
    id: message.getId()?.getString() ?? "",
    type: metadata.get("type") ?? "",
    contentType: metadata.get("content-type") ?? "",
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

/** `refusal` is asked at each append: an error that ends the call, or null. */
export function batchAppend(state: AppendState, call: BatchCall, refusal: () => Error | null): void {
  const pending = new Map<string, Pending>();
  state.batchStreams += 1;
  call.on("data", (request: InstanceType<typeof streams.BatchAppendReq>) => {
    const id = request.getCorrelationId()?.getString() ?? "";
    const options = request.getOptions();
    if (options !== undefined) pending.set(id, begun(options));
    const write = pending.get(id);
    if (write === undefined) return;
    for (const message of request.getProposedMessagesList()) {
      write.events.push(proposed(message));
      write.bytes += message.getData_asU8().length + message.getCustomMetadata_asU8().length;
    }
    if (!request.getIsFinal()) return;
    pending.delete(id);
    const refused = refusal();
    if (refused !== null) return void call.emit("error", refused);
    void commit(state, call, id, write);
  });
  call.on("end", () => call.end());
  call.on("error", () => {});
}

function begun(options: InstanceType<typeof streams.BatchAppendReq.Options>): Pending {
  const expected: Expected = options.hasAny()
    ? "any"
    : options.hasNoStream()
      ? "no_stream"
      : options.hasStreamExists()
        ? "stream_exists"
        : Number(options.getStreamPosition());
  return { stream: nameOf(options.getStreamIdentifier()), expected, events: [], bytes: 0 };
}

async function commit(state: AppendState, call: BatchCall, id: string, write: Pending): Promise<void> {
  const { faults } = state;
  state.appends += 1;
  state.appendsNow += 1;
  state.appendsAtOnce = Math.max(state.appendsAtOnce, state.appendsNow);
  const response = committed(state, write);
  response.setCorrelationId(uuid(id));
  const lost = happens(faults, "lostReplies");
  const cut = happens(faults, "cutReplies");
  const late = happens(faults, "lateReplies") ? faults.lateByMs : 0;
  // Answers take their time, and overtake each other.
  if (late > 0) await sleep(late);
  else if (state.random() < 0.5) await sleep(state.random() * 2);
  state.appendsNow -= 1;
  if (cut) return state.cut();
  if (lost || call.cancelled || call.destroyed) return;
  call.write(response);
  if (happens(faults, "doubleReplies")) call.write(response);
}

const uuid = (id: string): InstanceType<typeof shared.UUID> => {
  const value = new shared.UUID();
  value.setString(id);
  return value;
};

function committed({ log, faults }: AppendState, { stream, expected, events, bytes }: Pending) {
  const response = new streams.BatchAppendResp();
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream, "utf8"));
  response.setStreamIdentifier(identifier);
  if (bytes > appendBytesMax) {
    const details = new shared.MaximumAppendSizeExceeded();
    details.setMaxappendsize(appendBytesMax);
    response.setError(problem(details.serializeBinary(), "event_store.client.MaximumAppendSizeExceeded"));
    return response;
  }
  const current = log.stream(stream).length - 1;
  const result: Committed = happens(faults, "wrongVersions")
    ? { kind: "wrong", current }
    : log.append(stream, expected, events);
  if (result.kind === "wrong") {
    response.setError(problem(wrongVersion(result.current, expected), "event_store.client.WrongExpectedVersion"));
    return response;
  }
  const success = new streams.BatchAppendResp.Success();
  success.setCurrentRevision(String(result.revision));
  if (result.repeated && faults.noPositionForRepeats) success.setNoPosition();
  else {
    const position = new shared.AllStreamPosition();
    position.setCommitPosition(String(result.position));
    position.setPreparePosition(String(result.position));
    success.setPosition(position);
  }
  response.setSuccess(success);
  return response;
}

function wrongVersion(current: number, expected: Expected): Uint8Array {
  const details = new shared.WrongExpectedVersion();
  if (current >= 0) details.setCurrentStreamRevision(String(current));
  if (typeof expected === "number") details.setExpectedStreamPosition(String(expected));
  return details.serializeBinary();
}

function problem(details: Uint8Array, name: string): InstanceType<typeof statusPb.Status> {
  const any = new Any();
  any.pack(details, name);
  const status = new statusPb.Status();
  status.setDetails(any);
  status.setMessage(name);
  return status;
}

/** The append that the client takes when it finds no BatchAppend: one call for each. */
export function append(state: AppendState, call: AppendCall, done: AppendDone, refusal: () => Error | null): void {
  let write: Pending | null = null;
  call.on("data", (request: InstanceType<typeof streams.AppendReq>) => {
    const options = request.getOptions();
    if (options !== undefined) {
      const expected: Expected = options.hasAny()
        ? "any"
        : options.hasNoStream()
          ? "no_stream"
          : options.hasStreamExists()
            ? "stream_exists"
            : Number(options.getRevision());
      write = { stream: nameOf(options.getStreamIdentifier()), expected, events: [], bytes: 0 };
    }
    const message = request.getProposedMessage();
    if (message !== undefined) write?.events.push(proposed(message));
  });
  call.on("end", () => {
    const refused = refusal();
    if (refused !== null || write === null) return void done(refused as never, null);
    state.appends += 1;
    const result = state.log.append(write.stream, write.expected, write.events);
    const response = new streams.AppendResp();
    if (result.kind === "wrong") {
      const wrong = new streams.AppendResp.WrongExpectedVersion();
      if (result.current >= 0) wrong.setCurrentRevision(String(result.current));
      response.setWrongExpectedVersion(wrong);
    } else {
      const success = new streams.AppendResp.Success();
      success.setCurrentRevision(String(result.revision));
      const position = new streams.AppendResp.Position();
      position.setCommitPosition(String(result.position));
      position.setPreparePosition(String(result.position));
      success.setPosition(position);
      response.setSuccess(success);
    }
    done(null, response);
  });
}
