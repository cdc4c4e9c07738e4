/**
 * Scaling by CPU as Kubernetes does it (HorizontalPodAutoscaler autoscaling/v2, its defaults): what scaling by lag is compared
 * with. Source: kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale, and
 * pkg/controller/podautoscaler/replica_calculator.go for workers that are not ready.
 */
export interface CpuScaling {
  /** Every 15 seconds; times grow. Gives the number of workers to have. */
  decide(seen: CpuSeen): number;
}

export interface CpuSeen {
  readonly atSeconds: number;
  /** Replicas that were asked for, and those of them that are ready. */
  readonly asked: number;
  readonly ready: number;
  /** 0..1, mean over those that are ready. */
  readonly busyShare: number;
}

export interface CpuScalingOptions {
  /** averageUtilization over 100. */
  readonly target: number;
  readonly min: number;
  readonly max: number;
}

export const cpuScalingEverySeconds = 15;
const tolerance = 0.1;
const downStabilisationSeconds = 300;
/** Up within one period: twice as many, or four more, whichever is more. */
const up = { factor: 2, workers: 4 };

export function createCpuScaling({ target, min, max }: CpuScalingOptions): CpuScaling {
  let recommended: { readonly at: number; readonly workers: number }[] = [];

  function recommendation({ asked, ready, busyShare }: CpuSeen): number {
    const ratio = busyShare / target;
    if (Math.abs(1 - ratio) <= tolerance || ready === 0) return asked;
    if (ratio < 1 || ready === asked) return Math.ceil(ratio * ready - 1e-9);
    // Those that are not ready are taken to be idle: they were asked for because of this very load.
    const damped = (ratio * ready) / asked;
    if (damped <= 1 + tolerance) return asked;
    return Math.ceil(damped * asked - 1e-9);
  }

  return {
    decide(seen) {
      const { atSeconds, asked } = seen;
      const now = Math.min(max, Math.max(min, recommendation(seen)));
      recommended = recommended.filter(({ at }) => atSeconds - at <= downStabilisationSeconds);
      recommended.push({ at: atSeconds, workers: now });
      if (now > asked) return Math.min(now, Math.max(asked * up.factor, asked + up.workers));
      return Math.min(asked, Math.max(...recommended.map(({ workers }) => workers)));
    },
  };
}
