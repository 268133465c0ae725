// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// A transaction of etcd takes 128 operations by default, and a request 1.5 MiB.
const perTransaction = 64

const writers = 4

// Fill writes the cluster's objects straight into the API server's etcd, at the
// given address, in the form in which the server stores them: through the API
// it would take hours. What exists is overwritten.
func Fill(ctx context.Context, etcd string, s Shape) error {
	batches := make(chan []entry)
	var wg sync.WaitGroup
	var once sync.Once
	var failed error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range writers {
		wg.Go(func() {
			for b := range batches {
				if err := put(ctx, etcd, b); err != nil {
					once.Do(func() { failed = err })
					cancel()
				}
			}
		})
	}
	var batch []entry
	flush := func() {
		select {
		case batches <- batch:
		case <-ctx.Done():
		}
		batch = nil
	}
	for e := range s.objects() {
		if ctx.Err() != nil {
			break
		}
		if batch = append(batch, e); len(batch) == perTransaction {
			flush()
		}
	}
	flush()
	close(batches)
	wg.Wait()
	if failed != nil {
		return fmt.Errorf("fill the cluster: %w", failed)
	}
	return ctx.Err()
}

// entry is one key of etcd.
type entry struct {
	key   string
	value any
}

// put writes a batch in one transaction, through etcd's JSON gateway.
func put(ctx context.Context, etcd string, batch []entry) error {
	type request struct {
		Key   []byte `json:"key"`
		Value []byte `json:"value"`
	}
	type operation struct {
		Put request `json:"requestPut"`
	}
	var txn struct {
		Success []operation `json:"success"`
	}
	for _, e := range batch {
		value, err := json.Marshal(e.value)
		if err != nil {
			return fmt.Errorf("%s: %w", e.key, err)
		}
		txn.Success = append(txn.Success, operation{request{[]byte(e.key), value}})
	}
	if len(txn.Success) == 0 {
		return nil
	}
	body, err := json.Marshal(txn)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, etcd+"/v3/kv/txn", bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // it was read; there is nothing to lose
	said, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("etcd answered %s: %s", answer.Status, said)
	}
	return err
}
