package alarms

import (
	"iter"
)

// An Overlay is a map with changes over it, which leave the map as it is.
type Overlay[V any] struct {
	Base map[Key]V  // is not changed
	over map[Key]*V // nil: deleted
}

// Get returns the value of a key, and whether there is one.
func (o *Overlay[V]) Get(k Key) (v V, ok bool) {
	if p, changed := o.over[k]; changed {
		if p == nil {
			return v, false
		}
		return *p, true
	}
	v, ok = o.Base[k]
	return v, ok
}

func (o *Overlay[V]) put(k Key, v *V) {
	if o.over == nil {
		o.over = make(map[Key]*V)
	}
	o.over[k] = v
}

// Set changes the value of a key.
func (o *Overlay[V]) Set(k Key, v V) { o.put(k, &v) }

func (o *Overlay[V]) del(k Key) { o.put(k, nil) }

// flush makes the changes part of Base.
func (o *Overlay[V]) flush() {
	for k, v := range o.over {
		if v == nil {
			delete(o.Base, k)
		} else {
			o.Base[k] = *v
		}
	}
	o.over = nil
}

// All returns every key and value, in no order.
func (o *Overlay[V]) All() iter.Seq2[Key, V] {
	return func(yield func(Key, V) bool) {
		for k, v := range o.Base {
			if _, changed := o.over[k]; !changed && !yield(k, v) {
				return
			}
		}
		for k, v := range o.over {
			if v != nil && !yield(k, *v) {
				return
			}
		}
	}
}
