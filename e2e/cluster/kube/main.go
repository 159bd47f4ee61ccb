// The parts of a single-node Kubernetes in one binary, chosen by the first argument:
//
//	kube etcd|kube-apiserver|kube-controller-manager|kube-scheduler|kubelet|kube-proxy|coredns|kubectl [flags]
//
// Called through a link named kubectl it is kubectl. The parts share most of their packages, so that one binary
// links once and is a fifth of the size of eight.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

var cobraParts = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kube-proxy":              proxy.NewProxyCommand,
	"kubectl":                 kubectl.NewDefaultKubectlCommand,
}

func main() {
	part, arguments := "kubectl", os.Args[1:]
	if filepath.Base(os.Args[0]) != "kubectl" {
		if len(os.Args) < 2 {
			fmt.Fprintln(os.Stderr, "usage: kube PART [flags]")
			os.Exit(2)
		}
		part, arguments = os.Args[1], os.Args[2:]
	}
	os.Args = append([]string{part}, arguments...)
	switch part {
	case "etcd":
		etcdmain.Main(os.Args)
		return
	case "coredns":
		coredns()
		return
	}
	newCommand, ok := cobraParts[part]
	if !ok {
		fmt.Fprintf(os.Stderr, "kube: unknown part %q\n", part)
		os.Exit(2)
	}
	os.Exit(cli.Run(newCommand()))
}
