import { readFileSync } from "node:fs";
import { mulberry32 } from "../../../src/domain/random.ts";
import { type AppendState, append, batchAppend } from "./append-service.ts";
import { happens, noFaults, type Order, type Stats } from "./faults.ts";
import { createServerLog } from "./log.ts";
import { type ReadState, read, rpcError } from "./read-service.ts";
import {
  features,
  featuresGrpc,
  type GrpcServer,
  gossip,
  gossipGrpc,
  grpc,
  type IGossipServer,
  type IServerFeaturesServer,
  type IStreamsServer,
  type Metadata,
  shared,
  streamsGrpc,
} from "./stubs.ts";

/**
 * A test server that speaks the gRPC services of EventStoreDB as its client knows them; start.ts runs it as a child.
 * Several nodes are several ports over one log: what clients see of a cluster. It is controlled by its parent's messages.
 * Arguments: nodes, batch appends (on | off), and the files of a key and a certificate, for TLS.
 */
const [nodeCount = "1", batches = "on", keyFile, certFile] = process.argv.slice(2);
const log = createServerLog();
const faults = noFaults();
const authorizations = new Set<string>();
const nodes: { port: number; server: GrpcServer | null }[] = [];

const reading: ReadState = { log, faults, open: new Set(), reads: 0, subscriptions: 0, sent: 0 };
const appending: AppendState = {
  ...{ log, faults, random: mulberry32(Number(process.env.PROXIMAL_SEED ?? 1)) },
  ...{ batchStreams: 0, appends: 0, appendsNow: 0, appendsAtOnce: 0, cut },
};

function cut(): void {
  for (const { port, server } of nodes) server?.drain(`127.0.0.1:${port}`, 0);
}

/** What a node that is not the leader answers to whoever requires it. */
function notLeader(node: number, metadata: unknown): Error | null {
  if (node === faults.leader || (metadata as Metadata).get("requires-leader")[0] !== "true") return null;
  return rpcError(grpc.status.NOT_FOUND, "Leader info available", {
    exception: "not-leader",
    "leader-endpoint-host": "127.0.0.1",
    "leader-endpoint-port": String(nodes[faults.leader]?.port),
  });
}

function note(metadata: unknown): void {
  for (const value of (metadata as Metadata).get("authorization")) authorizations.add(String(value));
}

function streamsOf(node: number): Partial<IStreamsServer> {
  const refusal = (metadata: unknown) => () =>
    happens(faults, "unavailableAppends")
      ? rpcError(grpc.status.UNAVAILABLE, "Server Is Too Busy")
      : notLeader(node, metadata);
  return {
    read(call) {
      note(call.metadata);
      const refused = notLeader(node, call.metadata);
      if (refused !== null) return void call.emit("error", refused);
      void read(reading, call);
    },
    batchAppend(call) {
      note(call.metadata);
      batchAppend(appending, call, refusal(call.metadata));
    },
    append(call, done) {
      note(call.metadata);
      append(appending, call, done, refusal(call.metadata));
    },
  };
}

const featuresService: Pick<IServerFeaturesServer, "getSupportedMethods"> = {
  getSupportedMethods(_, done) {
    const methods = new features.SupportedMethods();
    methods.setEventStoreServerVersion("23.10.0-test");
    for (const name of batches === "on" ? ["append", "batchappend", "read"] : ["append", "read"]) {
      const method = new features.SupportedMethod();
      method.setServiceName("event_store.client.streams.Streams");
      method.setMethodName(name);
      methods.addMethods(method);
    }
    done(null, methods);
  },
};

const gossipService: Pick<IGossipServer, "read"> = {
  read(_, done) {
    const info = new gossip.ClusterInfo();
    const { LEADER, FOLLOWER } = gossip.MemberInfo.VNodeState;
    for (const [i, { port, server }] of nodes.entries()) {
      const endPoint = new gossip.EndPoint();
      endPoint.setAddress("127.0.0.1");
      endPoint.setPort(port);
      const id = new shared.UUID();
      id.setString(`00000000-0000-4000-8000-00000000000${i}`);
      const member = new gossip.MemberInfo();
      member.setInstanceId(id);
      member.setTimeStamp("0");
      member.setHttpEndPoint(endPoint);
      member.setIsAlive(server !== null);
      member.setState(i === faults.leader ? LEADER : FOLLOWER);
      info.addMembers(member);
    }
    done(null, info);
  },
};

async function startNode(i: number, port: number): Promise<void> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": 17 * 1024 * 1024 });
  server.addService(streamsGrpc.StreamsService, streamsOf(i));
  server.addService(featuresGrpc.ServerFeaturesService, featuresService);
  server.addService(gossipGrpc.GossipService, gossipService);
  const credentials =
    keyFile === undefined || certFile === undefined
      ? grpc.ServerCredentials.createInsecure()
      : grpc.ServerCredentials.createSsl(null, [
          { private_key: readFileSync(keyFile), cert_chain: readFileSync(certFile) },
        ]);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, at) => (error === null ? resolve(at) : reject(error)));
  });
  nodes[i] = { port: bound, server };
}

async function obey(order: Order): Promise<void> {
  if (order.do === "set") Object.assign(faults, order.faults);
  if (order.do === "cut") cut();
  if (order.do === "forgetIds") log.forgetIds();
  if (order.do === "endSubscriptions") {
    const error = order.kindly ? null : rpcError(grpc.status.CANCELLED, "Operation cancelled by the server");
    for (const end of [...reading.open]) end(error);
  }
  if (order.do === "systemEvents") {
    const event = { type: "$statsCollected", contentType: "application/json", data: Buffer.from("{}") };
    for (let i = 0; i < order.count; i++) {
      log.append("$stats", "any", [{ ...event, id: crypto.randomUUID(), metadata: Buffer.from("") }]);
    }
  }
  if (order.do === "stopNode") {
    const node = nodes[order.node];
    node?.server?.forceShutdown();
    if (node !== undefined) node.server = null;
  }
  if (order.do === "startNode") await startNode(order.node, nodes[order.node]?.port ?? 0);
}

function stats(): Stats {
  const { sent, subscriptions, open, reads } = reading;
  const { batchStreams, appends, appendsAtOnce } = appending;
  return {
    ...{ ports: nodes.map(({ port }) => port), events: log.records.length },
    ...{ sent, subscriptions, subscriptionsOpen: open.size, reads, batchStreams, appends, appendsAtOnce },
    authorizations: [...authorizations],
  };
}

for (let i = 0; i < Number(nodeCount); i++) await startNode(i, 0);
process.on("message", ({ id, order }: { id: number; order: Order }) => {
  void obey(order).then(() => process.send?.({ id, stats: stats() }));
});
// The parent is gone.
process.on("disconnect", () => process.exit());
process.send?.({ id: 0, stats: stats() });
