// Command kubelab is a Kubernetes control plane and its client in one binary: kube-apiserver,
// kube-controller-manager, kube-scheduler and kubectl, by the name that it is called by, or by its
// first argument. What they are is upstream's; this file only chooses. `kubelab service-account-key`
// prints a new key for them to sign tokens with, so that nobody needs openssl.
package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

var servers = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllers.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
}

func main() {
	name := filepath.Base(os.Args[0])
	if name == "kubelab" && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		name = os.Args[0]
	}
	if server, ok := servers[name]; ok {
		os.Exit(cli.Run(server()))
	}
	switch name {
	case "kubectl":
		// As upstream's kubectl does: the error is printed with what to try, and its exit code kept.
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			util.CheckErr(err)
		}
	case "service-account-key":
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err == nil {
			err = pem.Encode(os.Stdout, &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "kubelab: no key:", err)
			os.Exit(1)
		}
	default:
		fmt.Fprintln(os.Stderr, "usage: kubelab kube-apiserver|kube-controller-manager|kube-scheduler|kubectl|service-account-key …")
		os.Exit(2)
	}
}
