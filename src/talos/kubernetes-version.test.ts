import assert from "node:assert/strict";
import { test } from "node:test";
import { withKubernetes } from "./kubernetes-version.ts";

const OLD = `version: v1alpha1 # Indicates the schema.
machine:
    type: controlplane
    kubelet:
        image: registry.example:5000/kubelet:v1.33.4-fat # mine
        extraArgs:
            provider-id: sidero://x
cluster:
    apiServer:
        image: registry.k8s.io/kube-apiserver:v1.33.4@sha256:${"0".repeat(64)}
    controllerManager: {}
    proxy:
        disabled: true
---
apiVersion: v1alpha1
kind: HostnameConfig
auto: stable
`;

test("images of the control plane, and nothing else, in the v1alpha1 document", () => {
  assert.equal(
    withKubernetes(OLD, "v1.34.1", "control-plane"),
    OLD.replace(`kube-apiserver:v1.33.4@sha256:${"0".repeat(64)}`, "kube-apiserver:v1.34.1")
      .replace("controllerManager: {}", "controllerManager:\n        image: registry.k8s.io/kube-controller-manager:v1.34.1")
      .replace("disabled: true\n", "disabled: true\n    scheduler:\n        image: registry.k8s.io/kube-scheduler:v1.34.1\n"),
  );
});

test("the kubelet alone; a repository of one's own and what follows the version stay", () => {
  assert.equal(withKubernetes(OLD, "v1.34.1", "kubelet"), OLD.replace("v1.33.4-fat", "v1.34.1-fat"));
  assert.equal(
    withKubernetes(withKubernetes(OLD, "v1.34.1", "kubelet"), "v1.34.1", "kubelet"),
    withKubernetes(OLD, "v1.34.1", "kubelet"),
  );
});

test("documents of their own, since Talos 1.14", () => {
  const text = `version: v1alpha1
machine:
    type: controlplane
---
apiVersion: v1alpha1
kind: KubeletConfig
image: ghcr.io/siderolabs/kubelet:v1.36.0-rc.1
---
apiVersion: v1alpha1
kind: KubeAPIServerConfig
image: registry.k8s.io/kube-apiserver:v1.36.0-rc.1
---
apiVersion: v1alpha1
kind: KubeControllerManagerConfig
image: registry.k8s.io/kube-controller-manager:v1.36.0-rc.1
---
apiVersion: v1alpha1
kind: KubeSchedulerConfig
image: registry.k8s.io/kube-scheduler:v1.36.0-rc.1
---
apiVersion: v1alpha1
kind: KubeProxyConfig
image: registry.k8s.io/kube-proxy:v1.36.0-rc.1
`;
  const both = withKubernetes(withKubernetes(text, "v1.37.0", "control-plane"), "v1.37.0", "kubelet");
  assert.equal(both, text.replaceAll("v1.36.0-rc.1", "v1.37.0"));
});
