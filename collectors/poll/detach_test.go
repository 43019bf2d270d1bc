package poll

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestFactsDoNotHoldTheAnswer: what a format cuts out of an answer is the same, and is
// not a part of it.
func TestFactsDoNotHoldTheAnswer(t *testing.T) {
	text := strings.Repeat("label serial policy fan true ", 1000)
	word := func(s string) string { i := strings.Index(text, s); return text[i : i+len(s)] }
	facts := func() []hsm.Fact {
		policies := hsm.Policies{Policies: []hsm.Policy{{Description: word("policy"), Value: word("true")}}}
		return []hsm.Fact{
			hsm.Show{Serial: word("serial"), Label: hsm.Some(word("label")), Environment: &hsm.Environment{Fans: []hsm.Fan{{Name: word("fan")}}}},
			hsm.Partitions{{Serial: word("serial"), Policies: &policies}},
			hsm.Sensors{Chassis: map[string]string{word("fan"): word("true")}},
			hsm.Certificate{NotAfter: hsm.Some(time.Unix(7, 0)), Subject: word("label")},
			hsm.Clients(nil),
		}
	}
	read := Command{Read: func(answer.Session) ([]hsm.Fact, []string, error) { return facts(), []string{word("label")}, nil }}
	got, unread, err := read.read(answer.Session{})
	if err != nil || !reflect.DeepEqual(got, facts()) || !reflect.DeepEqual(unread, []string{"label"}) {
		t.Fatalf("%+v, %v, %v", got, unread, err)
	}
	strings := 0
	each(reflect.ValueOf([]any{got, unread}), func(s string) {
		strings++
		at, from := uintptr(unsafe.Pointer(unsafe.StringData(s))), uintptr(unsafe.Pointer(unsafe.StringData(text)))
		if s != "" && at >= from && at < from+uintptr(len(text)) {
			t.Errorf("%q is in the answer", s)
		}
	})
	if strings < 9 {
		t.Errorf("%d strings", strings)
	}
}

func each(v reflect.Value, do func(string)) {
	switch v.Kind() {
	case reflect.String:
		do(v.String())
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			each(v.Elem(), do)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			each(field, do)
		}
	case reflect.Slice:
		for i := range v.Len() {
			each(v.Index(i), do)
		}
	case reflect.Map:
		for k, x := range v.Seq2() {
			each(k, do)
			each(x, do)
		}
	default:
	}
}

// BenchmarkDetach is what it costs for the twenty partitions of an HSM.
func BenchmarkDetach(b *testing.B) {
	var partitions hsm.Partitions
	for i := range 20 {
		partitions = append(partitions, hsm.Partition{Serial: fmt.Sprint(1000 + i), Name: fmt.Sprint("p", i), Label: hsm.Some("label")})
	}
	for b.Loop() {
		detach([]hsm.Fact{partitions})
	}
}
