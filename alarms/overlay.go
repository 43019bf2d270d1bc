package alarms

import "iter"

// An overlay is a map with changes over it that it does not feel.
type overlay[V any] struct {
	base map[Key]V
	over map[Key]*V // nil: it is gone
}

func (o *overlay[V]) get(k Key) (v V, ok bool) {
	if p, changed := o.over[k]; changed {
		if p == nil {
			return v, false
		}
		return *p, true
	}
	v, ok = o.base[k]
	return v, ok
}

func (o *overlay[V]) put(k Key, v *V) {
	if o.over == nil {
		o.over = make(map[Key]*V)
	}
	o.over[k] = v
}

func (o *overlay[V]) set(k Key, v V) { o.put(k, &v) }
func (o *overlay[V]) del(k Key)      { o.put(k, nil) }

// flush makes the changes part of the map below.
func (o *overlay[V]) flush() {
	for k, v := range o.over {
		if v == nil {
			delete(o.base, k)
		} else {
			o.base[k] = *v
		}
	}
	o.over = nil
}

func (o *overlay[V]) all() iter.Seq2[Key, V] {
	return func(yield func(Key, V) bool) {
		for k, v := range o.base {
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
