import { useEffect, useState } from "preact/hooks";
import type { ConsoleSession, LagAnswer, ReplayAnswerBody } from "../api/answers.ts";
import { count, percent, time } from "../model/format.ts";
import { DataTable, ProblemNotice, Staleness } from "../parts/notices.tsx";
import { useSession } from "../parts/session.ts";
import { useAction } from "../parts/use-action.ts";
import { usePoll } from "../parts/use-poll.ts";
import { Queues } from "./pipeline.tsx";

const everyMs = 2_000;
const head = ["Kind", "State", "Progress", "Asked", "Attempts", "Files", "Do"];

/** Background work: the queues, and what analysts asked for. */
export function JobsPage() {
  const { api, may } = useSession();
  const operator = may("operator");
  const lag = usePoll("queues", operator ? (signal) => api.get<LagAnswer>("/v1/ops/lag", signal) : null, everyMs);
  const replays = usePoll(
    "replays",
    (signal) => api.get<{ replays: readonly ReplayAnswerBody[] }>("/v1/replays?count=50", signal),
    everyMs,
  );
  const action = useAction();
  const cancel = (id: string) =>
    action.run(async () => {
      await api.post(`/v1/replays/${id}/cancel`);
      replays.again();
    });
  const fetchFile = (href: string, name: string) =>
    action.run(async () => {
      const url = URL.createObjectURL(await api.file(href));
      Object.assign(document.createElement("a"), { href: url, download: name }).click();
      URL.revokeObjectURL(url);
    });

  return (
    <>
      {operator && <QueuesPageLink />}
      {lag.data !== null && <Queues lag={lag.data} />}
      <h2>Replays, exports and reports</h2>
      <Staleness polled={replays} everyMs={everyMs} />
      <ProblemNotice problem={action.problem} />
      {replays.data?.replays.length === 0 && (
        <p>
          Nobody asked for any. <code>POST /v1/replays</code> or <code>npx proximal replays</code> does.
        </p>
      )}
      {replays.data !== null && replays.data.replays.length > 0 && (
        <DataTable caption="Replays, newest first" head={head}>
          {replays.data.replays.map((one) => (
            <Replay key={one.replayId} replay={one} onCancel={cancel} onFile={fetchFile} />
          ))}
        </DataTable>
      )}
    </>
  );
}

function Replay(props: {
  readonly replay: ReplayAnswerBody;
  readonly onCancel: (id: string) => Promise<void>;
  readonly onFile: (href: string, name: string) => Promise<void>;
}) {
  const { replayId, kind, state, progress, createdAt, attempts, files, error } = props.replay;
  const open = state === "queued" || state === "running";
  return (
    <tr>
      <th scope="row">{kind}</th>
      <td class="words">
        {state}
        {error !== null && `: ${error}`}
      </td>
      <td>{progressInWords(progress)}</td>
      <td>{time(createdAt)}</td>
      <td class="number">{count(attempts)}</td>
      <td>
        {files.map(({ name, href, bytes }) => (
          <button type="button" class="link" key={name} onClick={() => void props.onFile(href, name)}>
            {name} ({count(bytes)} bytes)
          </button>
        ))}
      </td>
      <td>
        {open && (
          <button type="button" aria-label={`Cancel ${kind} ${replayId}`} onClick={() => void props.onCancel(replayId)}>
            Cancel
          </button>
        )}
      </td>
    </tr>
  );
}

function progressInWords(progress: ReplayAnswerBody["progress"]): string {
  if (progress === null) return "-";
  const { done, total } = progress;
  return total === null || total === 0 ? count(done) : `${count(done)} of ${count(total)} (${percent(done / total)})`;
}

/** BullMQ's own page, where the jobs are in BullMQ. The browser loads it by itself: a session cookie lets it in. */
function QueuesPageLink() {
  const { api } = useSession();
  const [session, setSession] = useState<ConsoleSession | null>(null);
  useEffect(() => {
    const ended = new AbortController();
    api.post<ConsoleSession>("/console/session", undefined, ended.signal).then(setSession, () => undefined);
    return () => ended.abort();
  }, [api]);
  if (session === null) return null;
  if (session.jobsBoard === null) return <p>Jobs run in this process: there is no queue to look into.</p>;
  return (
    <p>
      <a href={session.jobsBoard} target="_blank" rel="noopener">
        Open the queues
      </a>
      : every job with its input, result and error; retry, promote, remove.
    </p>
  );
}
