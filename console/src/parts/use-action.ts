import { useRef, useState } from "preact/hooks";
import { type ApiProblem, problemFrom } from "../api/client.ts";

export interface Action {
  readonly running: boolean;
  readonly problem: ApiProblem | null;
  /** Does it, one at a time. */
  run(work: () => Promise<void>): Promise<void>;
}

/** Something a person starts: whether it runs, and why it failed. */
export function useAction(): Action {
  const [running, setRunning] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const busy = useRef(false);
  return {
    running,
    problem,
    async run(work) {
      if (busy.current) return;
      busy.current = true;
      setRunning(true);
      setProblem(null);
      try {
        await work();
      } catch (error) {
        setProblem(problemFrom(error));
      } finally {
        busy.current = false;
        setRunning(false);
      }
    },
  };
}
