// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	registrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

// webhookName is Longhorn's own.
const webhookName = "validator.longhorn.io"

// admission is Longhorn's webhook, as far as the model knows what it refuses.
type admission struct {
	server *http.Server
	done   chan struct{}
}

// admit starts the webhook and registers it with the API server.
func (s *Standin) admit(ctx context.Context) error {
	cert, ca, err := selfSigned()
	if err != nil {
		return fmt.Errorf("certificate of the webhook: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	s.admission = &admission{done: make(chan struct{}), server: &http.Server{
		Handler: http.HandlerFunc(s.review), ReadHeaderTimeout: requestLimit, ErrorLog: slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelDebug),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13},
	}}
	go func(a *admission) {
		defer close(a.done)
		_ = a.server.ServeTLS(l, "", "") // ends with close
	}(s.admission)
	_, err = s.kube.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(ctx, webhook("https://"+l.Addr().String(), ca), metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("register the webhook: %w", err)
	}
	return nil
}

func (a *admission) close() {
	if a == nil {
		return
	}
	_ = a.server.Close()
	<-a.done
}

func webhook(url string, ca []byte) *registrationv1.ValidatingWebhookConfiguration {
	none, ignore, limit := registrationv1.SideEffectClassNone, registrationv1.Ignore, int32(5)
	return &registrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "longhorn-webhook-validator"},
		Webhooks: []registrationv1.ValidatingWebhook{{
			Name: webhookName, AdmissionReviewVersions: []string{"v1"}, SideEffects: &none,
			// It lives and dies with the stand-in; a cluster outlives it for a moment.
			FailurePolicy: &ignore, TimeoutSeconds: &limit,
			ClientConfig: registrationv1.WebhookClientConfig{URL: &url, CABundle: ca},
			Rules: []registrationv1.RuleWithOperations{{
				Operations: []registrationv1.OperationType{registrationv1.Delete},
				Rule: registrationv1.Rule{
					APIGroups: []string{"longhorn.io"}, APIVersions: []string{"*"},
					Resources: []string{string(model.Nodes), string(model.Replicas)},
				},
			}},
		}},
	}
}

// review answers one question of the API server.
func (s *Standin) review(w http.ResponseWriter, r *http.Request) {
	var in admissionv1.AdmissionReview
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Request == nil {
		http.Error(w, "no review", http.StatusBadRequest)
		return
	}
	why := s.denies(in.Request)
	out := admissionv1.AdmissionReview{TypeMeta: in.TypeMeta, Response: &admissionv1.AdmissionResponse{UID: in.Request.UID, Allowed: why == ""}}
	if why != "" {
		out.Response.Result = &metav1.Status{Status: metav1.StatusFailure, Code: http.StatusBadRequest, Reason: metav1.StatusReasonBadRequest, Message: why}
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(out); err != nil {
		s.opts.Log.Debug("an answer of the webhook got lost", "error", err)
	}
}

// denies asks the model, unless the object is one that the model itself lets go.
func (s *Standin) denies(q *admissionv1.AdmissionRequest) string {
	var old metav1.PartialObjectMetadata
	if err := json.Unmarshal(q.OldObject.Raw, &old); err != nil {
		return err.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ref := model.Ref{Kind: model.Kind(q.Resource.Resource), Name: q.Name, UID: old.UID}
	if o := s.model.Get(ref.Kind, ref.Name); o == nil || o.GetUID() != old.UID || o.GetDeletionTimestamp() != nil {
		return ""
	}
	return s.model.DenyDelete(ref)
}

// selfSigned makes a certificate for the loopback address, and the bundle that
// trusts it.
func selfSigned() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(7 * 24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, bundle, nil
}
